;; Spins in its start function, before anything was called.
(module
  (memory (export "memory") 1)
  (func $begin (loop $again (br $again)))
  (start $begin)
  (func (export "negotiate") (result i32) (i32.const 0)))
