;; Writes from a range that wraps around.
(module
  (import "stunnel1" "write" (func $write (param i32 i32 i32) (result i32)))
  (import "stunnel1" "fail" (func $fail (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "negotiate") (result i32)
    (drop (call $write (i32.const 0) (i32.const -16) (i32.const 32)))
    (i32.const 0)))
