;; Copies a data segment in _initialize.
(module
  (memory (export "memory") 1)
  (global $runs (mut i32) (i32.const 0))
  (data $d "x")
  (func (export "_initialize")
    (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))
    (data.drop $d)
    (global.set $runs (i32.add (global.get $runs) (i32.const 1))))
  (func (export "negotiate") (result i32) (i32.sub (global.get $runs) (i32.const 1))))
