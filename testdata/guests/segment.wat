;; Has a data segment outside of its memory, so that no instance can be made.
(module
  (memory (export "memory") 1)
  (data (i32.const 65536) "outside")
  (func (export "negotiate") (result i32) (i32.const 0)))
