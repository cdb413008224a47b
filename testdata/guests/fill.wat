;; Fills its memory over and over.
(module
  (memory (export "memory") 256)
  (func $fill (export "negotiate") (result i32)
    (loop $again
      (memory.fill (i32.const 0) (i32.const 170) (i32.const 16777216))
      (br $again))
    (i32.const 0)))
