;; Exports a host call as negotiate.
(module
  (import "stunnel1" "connect" (func $connect (result i32)))
  (memory (export "memory") 1)
  (export "negotiate" (func $connect)))
