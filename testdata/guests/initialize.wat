;; Spins in _initialize.
(module
  (memory (export "memory") 1)
  (func $begin (export "_initialize") (loop $again (br $again)))
  (func (export "negotiate") (result i32) (i32.const 0)))
