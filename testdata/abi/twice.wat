;; Starts TLS twice on one side.
(module
  (import "stunnel1" "starttls" (func $starttls (param i32) (result i32)))
  (import "stunnel1" "read_line" (func $read_line (param i32 i32 i32) (result i32)))
  (import "stunnel1" "fail" (func $fail (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 65000) "check 00 is wrong")
  ;; want refuses with the number of the check that is not as it should be.
  (func $want (param $number i32) (param $got i32) (param $want i32)
    (if (i32.eq (local.get $got) (local.get $want)) (then (return)))
    (i32.store8 (i32.const 65006) (i32.add (i32.const 48) (i32.div_u (local.get $number) (i32.const 10))))
    (i32.store8 (i32.const 65007) (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
    (call $fail (i32.const 3) (i32.const 65000) (i32.const 17))
    (unreachable))
  (func (export "negotiate") (result i32)
    (call $want (i32.const 1) (call $starttls (i32.const 0)) (i32.const 0))
    (call $want (i32.const 2) (call $starttls (i32.const 0)) (i32.const -4))
    (call $want (i32.const 3) (call $read_line (i32.const 0) (i32.const 0) (i32.const 64)) (i32.const 7))
    (i32.const 0)))
