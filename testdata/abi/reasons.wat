;; Gives two reasons.
(module
  (import "stunnel1" "fail" (func $fail (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "first")
  (data (i32.const 8) "second")
  (func (export "negotiate") (result i32)
    (call $fail (i32.const 0) (i32.const 0) (i32.const 5))
    (call $fail (i32.const 2) (i32.const 8) (i32.const 6))
    (i32.const 1)))
