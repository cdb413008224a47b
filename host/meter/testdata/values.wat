;; Several results, through return in nested blocks and loops, br_table and falling off
;; the end; the second function has the same results and shares the block's type.
(module
  (func $pick (export "run") (param $n i32) (result i32 i64 f64)
    (local $i i32)
    (block $out (result i32 i64 f64)
      (block $c (block $b (block $a
        (br_table $a $b $c (local.get $n)))
        (loop $l
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (block
            (if (i32.gt_u (local.get $i) (i32.const 5))
              (then
                (loop (return (local.get $i) (i64.const 10) (f64.const 0.5))))))
          (br $l)))
        (br $out (i32.const 1) (i64.const 11) (f64.const 1.5)))
      (call $pair (i32.const 2))))
  (func $pair (param i32) (result i32 i64 f64)
    (call $leaf)
    (local.get 0) (i64.const 12) (f64.const 2.5))
  (func $leaf))
