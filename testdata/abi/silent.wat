;; Refuses without a reason.
(module
  (import "stunnel1" "fail" (func $fail (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "negotiate") (result i32)
    (i32.const 7)))
