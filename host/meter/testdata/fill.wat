;; Fills all of 4 MiB again and again in little code.
(module
  (memory (export "memory") 64)
  (func (export "run")
    (loop $l
      (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x400000))
      (br $l))))
