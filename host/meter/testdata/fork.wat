;; f(n) = f(n-1) + f(n-1): for years within a depth of 60, without a loop.
(module
  (func $fork (export "run") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 1))
      (else
        (i32.add
          (call $fork (i32.sub (local.get 0) (i32.const 1)))
          (call $fork (i32.sub (local.get 0) (i32.const 1))))))))
