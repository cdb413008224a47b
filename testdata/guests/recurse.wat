;; Recurses without a loop: f(n) = f(n-1) + f(n-1), which takes the age of the universe.
(module
  (memory (export "memory") 1)
  (func $f (param $n i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (i32.const 1))))
    (i32.add (call $f (i32.sub (local.get $n) (i32.const 1)))
             (call $f (i32.sub (local.get $n) (i32.const 1)))))
  (func (export "negotiate") (result i32) (call $f (i32.const 80))))
