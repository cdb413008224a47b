;; Returns -6 without a word.
(module
  (memory (export "memory") 1)
  (func (export "negotiate") (result i32) (i32.const -6)))
