;; Refuses with a reason as long as there is.
(module
  (import "stunnel1" "fail" (func $fail (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "negotiate") (result i32)
    (call $fail (i32.const 0) (i32.const 0) (i32.const -1))
    (i32.const 0)))
