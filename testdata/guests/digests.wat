;; Has the host hash its whole memory without end.
(module
  (import "stunnel1" "digest" (func $digest (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 16)
  (func $hash (export "negotiate") (result i32)
    (loop $again
      (drop (call $digest (i32.const 6) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1048576) (i32.const 0) (i32.const 64)))
      (br $again))
    (i32.const 0)))
