;; Changes its table in _initialize.
(module
  (memory (export "memory") 1)
  (global $runs (mut i32) (i32.const 0))
  (table $t 1 funcref)
  (func (export "_initialize")
    (table.set $t (i32.const 0) (ref.null func))
    (global.set $runs (i32.add (global.get $runs) (i32.const 1))))
  (func (export "negotiate") (result i32) (i32.sub (global.get $runs) (i32.const 1))))
