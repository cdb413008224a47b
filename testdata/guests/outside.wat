;; Fills memory that it does not have.
(module
  (memory (export "memory") 1)
  (func $fill (export "negotiate") (result i32)
    (memory.fill (i32.const 1) (i32.const 170) (i32.const 65536))
    (i32.const 0)))
