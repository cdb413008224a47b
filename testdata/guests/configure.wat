;; Spins in configure.
(module
  (memory (export "memory") 1)
  (func $check (export "configure") (result i32) (loop $again (br $again)) (i32.const 0))
  (func (export "negotiate") (result i32) (i32.const 0)))
