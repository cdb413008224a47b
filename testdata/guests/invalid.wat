;; Has a body that does not type-check.
(module
  (memory (export "memory") 1)
  (func (export "negotiate") (result i32) (i64.const 0)))
