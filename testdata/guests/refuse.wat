;; Says why and returns 1; says something else first returned.
(module
  (import "stunnel1" "fail" (func $fail (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "no\n such user")
  (data (i32.const 64) "and again")
  (func (export "negotiate") (result i32)
    (call $fail (i32.const 2) (i32.const 0) (i32.const 13))
    (call $fail (i32.const 0) (i32.const 64) (i32.const 9))
    (i32.const 1)))
