;; Imports what needs two capabilities, and something that does not exist.
(module
  (import "stunnel1" "secret" (func (param i32 i32 i32 i32) (result i32)))
  (import "stunnel1" "now" (func (result i64)))
  (import "stunnel1" "open" (func (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "negotiate") (result i32) (i32.const 0)))
