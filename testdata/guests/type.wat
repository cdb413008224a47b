;; Exports a negotiate that takes a parameter.
(module
  (memory (export "memory") 1)
  (func (export "negotiate") (param i32) (result i32) (i32.const 0)))
