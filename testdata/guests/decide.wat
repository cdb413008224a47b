;; A policy that does what the first letter of the guestOption "do" asks: a allows,
;; d denies with a sentence, s denies without one, l loops, t traps, r chooses the target
;; that follows the letter at stage accept; x denies at stage accept alone, h at
;; handshake, y at dial. Each time it logs the beginning of the stage's name.
(module
  (import "stunnel1" "config" (func $config (param i32 i32 i32 i32) (result i32)))
  (import "stunnel1" "info" (func $info (param i32 i32 i32) (result i32)))
  (import "stunnel1" "set_target" (func $set_target (param i32 i32) (result i32)))
  (import "stunnel1" "log" (func $log (param i32 i32 i32)))
  (import "stunnel1" "fail" (func $fail (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "option.do")
  (data (i32.const 16) "it says so")
  (data (i32.const 32) "not there")
  (func $deny (result i32)
    (call $fail (i32.const 2) (i32.const 16) (i32.const 10))
    (i32.const 1))
  (func $is (param $letter i32) (result i32)
    (i32.eq (i32.load8_u (i32.const 1024)) (local.get $letter)))
  ;; whether the stage begins with a letter
  (func $at (param $letter i32) (result i32)
    (i32.eq (i32.load8_u (i32.const 2048)) (local.get $letter)))
  (func $decide (export "decide") (result i32)
    (local $n i32)
    (local.set $n (call $config (i32.const 0) (i32.const 9) (i32.const 1024) (i32.const 256)))
    (drop (call $info (i32.const 9) (i32.const 2048) (i32.const 16)))
    (call $log (i32.const 7) (i32.const 2048) (i32.const 4))
    (if (call $is (i32.const 100)) (then (return (call $deny))))
    (if (call $is (i32.const 115)) (then (return (i32.const 1))))
    (if (call $is (i32.const 108)) (then (loop $again (br $again))))
    (if (call $is (i32.const 116)) (then (unreachable)))
    (if (i32.and (call $is (i32.const 120)) (call $at (i32.const 97))) (then (return (call $deny))))
    (if (i32.and (call $is (i32.const 104)) (call $at (i32.const 104))) (then (return (call $deny))))
    (if (i32.and (call $is (i32.const 121)) (call $at (i32.const 100))) (then (return (call $deny))))
    (if (i32.and (call $is (i32.const 114)) (call $at (i32.const 97)))
      (then
        (if (call $set_target (i32.const 1025) (i32.sub (local.get $n) (i32.const 1)))
          (then
            (call $fail (i32.const 2) (i32.const 32) (i32.const 9))
            (return (i32.const 1))))))
    (i32.const 0)))
