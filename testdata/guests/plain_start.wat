;; Has a start function besides _initialize.
(module
  (memory (export "memory") 1)
  (global $runs (mut i32) (i32.const 0))
  (func $begin)
  (start $begin)
  (func (export "_initialize")
    (global.set $runs (i32.add (global.get $runs) (i32.const 1))))
  (func (export "negotiate") (result i32) (i32.sub (global.get $runs) (i32.const 1))))
