;; Refuses with a class that is none, and a reason with control characters.
(module
  (import "stunnel1" "fail" (func $fail (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "a\0ab\1b[31m")
  (func (export "negotiate") (result i32)
    (call $fail (i32.const 99) (i32.const 0) (i32.const 8))
    (i32.const 1)))
