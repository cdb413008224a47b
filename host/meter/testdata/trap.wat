;; Traps in a named function, below others.
(module $guest
  (import "env" "seven" (func $seven (result i32)))
  (func $divide_by_zero (param $dividend i32) (result i32)
    (i32.div_u (local.get $dividend) (i32.const 0)))
  (func $middle (param i32) (result i32)
    (i32.add (call $divide_by_zero (local.get 0)) (call $seven)))
  (func $outer (export "run") (result i32) (call $middle (i32.const 3))))
