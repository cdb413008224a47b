(module
  (memory (export "memory") 1)
  (func (export "run") (param i32)
    (memory.fill (i32.const 0) (i32.const 7) (local.get 0))))
