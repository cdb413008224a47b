;; Begins with more memory than the default limit.
(module
  (memory (export "memory") 257)
  (func (export "negotiate") (result i32) (i32.const 0)))
