;; Makes the host calls that a test lists in the guestOption "program", and tells
;; what each returned. A record is eight i32: the function's number in the order of
;; abi.Functions, then its parameters; number 100 returns from negotiate with the first
;; parameter, which is otherwise 0. The option "data" is put at address 0, the program
;; at 131072. A result is told as a key of four bytes that is asked of config.
(module
  (import "stunnel1" "read" (func $read (param i32 i32 i32) (result i32)))
  (import "stunnel1" "read_full" (func $read_full (param i32 i32 i32) (result i32)))
  (import "stunnel1" "read_line" (func $read_line (param i32 i32 i32) (result i32)))
  (import "stunnel1" "peek" (func $peek (param i32 i32 i32) (result i32)))
  (import "stunnel1" "write" (func $write (param i32 i32 i32) (result i32)))
  (import "stunnel1" "wait" (func $wait (param i32 i32) (result i32)))
  (import "stunnel1" "connect" (func $connect (result i32)))
  (import "stunnel1" "starttls" (func $starttls (param i32) (result i32)))
  (import "stunnel1" "config" (func $config (param i32 i32 i32 i32) (result i32)))
  (import "stunnel1" "secret" (func $secret (param i32 i32 i32 i32) (result i32)))
  (import "stunnel1" "info" (func $info (param i32 i32 i32) (result i32)))
  (import "stunnel1" "annotate" (func $annotate (param i32 i32 i32 i32) (result i32)))
  (import "stunnel1" "log" (func $log (param i32 i32 i32)))
  (import "stunnel1" "fail" (func $fail (param i32 i32 i32)))
  (import "stunnel1" "random" (func $random (param i32 i32) (result i32)))
  (import "stunnel1" "now" (func $now (result i64)))
  (import "stunnel1" "set_target" (func $set_target (param i32 i32) (result i32)))
  (import "stunnel1" "resolve" (func $resolve (param i32 i32 i32 i32) (result i32)))
  (import "stunnel1" "digest" (func $digest (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "stunnel1" "set_alpn" (func $set_alpn (param i32 i32) (result i32)))
  (import "stunnel1" "fact" (func $fact (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (data (i32.const 262000) "option.program")
  (data (i32.const 262016) "option.data")
  (func $arg (param $at i32) (param $i i32) (result i32)
    (i32.load (i32.add (local.get $at) (i32.shl (local.get $i) (i32.const 2)))))
  (func $do (param $at i32) (result i32)
    (local $f i32)
    (local.set $f (i32.load (local.get $at)))
    (if (i32.eq (local.get $f) (i32.const 0)) (then (return (call $read (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)) (call $arg (local.get $at) (i32.const 3)))))) ;; read
    (if (i32.eq (local.get $f) (i32.const 1)) (then (return (call $read_full (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)) (call $arg (local.get $at) (i32.const 3)))))) ;; read_full
    (if (i32.eq (local.get $f) (i32.const 2)) (then (return (call $read_line (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)) (call $arg (local.get $at) (i32.const 3)))))) ;; read_line
    (if (i32.eq (local.get $f) (i32.const 3)) (then (return (call $peek (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)) (call $arg (local.get $at) (i32.const 3)))))) ;; peek
    (if (i32.eq (local.get $f) (i32.const 4)) (then (return (call $write (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)) (call $arg (local.get $at) (i32.const 3)))))) ;; write
    (if (i32.eq (local.get $f) (i32.const 5)) (then (return (call $wait (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)))))) ;; wait
    (if (i32.eq (local.get $f) (i32.const 6)) (then (return (call $connect)))) ;; connect
    (if (i32.eq (local.get $f) (i32.const 9)) (then (return (call $starttls (call $arg (local.get $at) (i32.const 1)))))) ;; starttls
    (if (i32.eq (local.get $f) (i32.const 10)) (then (return (call $config (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)) (call $arg (local.get $at) (i32.const 3)) (call $arg (local.get $at) (i32.const 4)))))) ;; config
    (if (i32.eq (local.get $f) (i32.const 11)) (then (return (call $secret (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)) (call $arg (local.get $at) (i32.const 3)) (call $arg (local.get $at) (i32.const 4)))))) ;; secret
    (if (i32.eq (local.get $f) (i32.const 12)) (then (return (call $info (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)) (call $arg (local.get $at) (i32.const 3)))))) ;; info
    (if (i32.eq (local.get $f) (i32.const 13)) (then (return (call $annotate (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)) (call $arg (local.get $at) (i32.const 3)) (call $arg (local.get $at) (i32.const 4)))))) ;; annotate
    (if (i32.eq (local.get $f) (i32.const 14)) (then (call $log (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)) (call $arg (local.get $at) (i32.const 3))) (return (i32.const 0)))) ;; log
    (if (i32.eq (local.get $f) (i32.const 15)) (then (call $fail (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)) (call $arg (local.get $at) (i32.const 3))) (return (i32.const 0)))) ;; fail
    (if (i32.eq (local.get $f) (i32.const 17)) (then (return (call $random (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)))))) ;; random
    (if (i32.eq (local.get $f) (i32.const 18)) (then (return (i64.gt_s (call $now) (i64.const 0))))) ;; now
    (if (i32.eq (local.get $f) (i32.const 7)) (then (return (call $set_target (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)))))) ;; set_target
    (if (i32.eq (local.get $f) (i32.const 8)) (then (return (call $resolve (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)) (call $arg (local.get $at) (i32.const 3)) (call $arg (local.get $at) (i32.const 4)))))) ;; resolve
    (if (i32.eq (local.get $f) (i32.const 16)) (then (return (call $digest (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)) (call $arg (local.get $at) (i32.const 3)) (call $arg (local.get $at) (i32.const 4)) (call $arg (local.get $at) (i32.const 5)) (call $arg (local.get $at) (i32.const 6)) (call $arg (local.get $at) (i32.const 7)))))) ;; digest
    (if (i32.eq (local.get $f) (i32.const 19)) (then (return (call $set_alpn (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)))))) ;; set_alpn
    (if (i32.eq (local.get $f) (i32.const 20)) (then (return (call $fact (call $arg (local.get $at) (i32.const 1)) (call $arg (local.get $at) (i32.const 2)) (call $arg (local.get $at) (i32.const 3)) (call $arg (local.get $at) (i32.const 4)))))) ;; fact
    (unreachable))
  (func $negotiate (export "negotiate") (result i32)
    (local $at i32) (local $end i32)
    (drop (call $config (i32.const 262016) (i32.const 11) (i32.const 0) (i32.const 131072)))
    (local.set $at (i32.const 131072))
    (local.set $end (i32.add (local.get $at)
      (call $config (i32.const 262000) (i32.const 14) (i32.const 131072) (i32.const 100000))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (if (i32.eq (i32.load (local.get $at)) (i32.const 100))
          (then (return (i32.load offset=4 (local.get $at)))))
        (i32.store (i32.const 262100) (call $do (local.get $at)))
        (drop (call $config (i32.const 262100) (i32.const 4) (i32.const 0) (i32.const 0)))
        (local.set $at (i32.add (local.get $at) (i32.const 32)))
        (br $next)))
    (i32.const 0)))
