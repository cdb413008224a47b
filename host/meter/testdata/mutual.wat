;; Recursion through a table.
(module
  (type $t (func (param i32) (result i32)))
  (table 2 funcref)
  (elem (i32.const 0) $even $odd)
  (func $even (export "run") (type $t)
    (i32.add (i32.const 1) (call_indirect (type $t) (local.get 0) (i32.const 1))))
  (func $odd (type $t)
    (i32.add (i32.const 1) (call_indirect (type $t) (local.get 0) (i32.const 0)))))
