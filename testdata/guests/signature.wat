;; Imports read with one parameter too few.
(module
  (import "stunnel1" "read" (func (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "negotiate") (result i32) (i32.const 0)))
