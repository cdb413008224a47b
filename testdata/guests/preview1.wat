;; Makes the calls of WASI that a test lists in the guestOption "program", and tells what
;; each returned, as caller.wat does for stunnel1. A record is twelve i32: the function's
;; number, by name, then its parameters; number 100 tells the word at an address, and
;; number 101 returns from negotiate with the first parameter, which is otherwise 0. The option "data" is
;; put at address 0, the program at 131072.
(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_res_get" (func $clock_res_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_advise" (func $fd_advise (param i32 i64 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_allocate" (func $fd_allocate (param i32 i64 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_datasync" (func $fd_datasync (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fd_fdstat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $fd_fdstat_set_flags (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_set_rights" (func $fd_fdstat_set_rights (param i32 i64 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_get" (func $fd_filestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_set_size" (func $fd_filestat_set_size (param i32 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_set_times" (func $fd_filestat_set_times (param i32 i64 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pread" (func $fd_pread (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $fd_prestat_dir_name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pwrite" (func $fd_pwrite (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_renumber" (func $fd_renumber (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_sync" (func $fd_sync (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_tell" (func $fd_tell (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory" (func $path_create_directory (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get" (func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_set_times" (func $path_filestat_set_times (param i32 i32 i32 i32 i64 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_link" (func $path_link (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_readlink" (func $path_readlink (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_remove_directory" (func $path_remove_directory (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename" (func $path_rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink" (func $path_symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $path_unlink_file (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "proc_raise" (func $proc_raise (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $sock_accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv" (func $sock_recv (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send" (func $sock_send (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_shutdown" (func $sock_shutdown (param i32 i32) (result i32)))
  (import "stunnel1" "config" (func $config (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (data (i32.const 262000) "option.program")
  (data (i32.const 262016) "option.data")
  (func $i (param $at i32) (param $n i32) (result i32)
    (i32.load (i32.add (local.get $at) (i32.shl (local.get $n) (i32.const 2)))))
  (func $I (param $at i32) (param $n i32) (result i64)
    (i64.extend_i32_s (call $i (local.get $at) (local.get $n))))
  (func $do (param $at i32) (result i32)
    (local $f i32)
    (local.set $f (i32.load (local.get $at)))
    (if (i32.eq (local.get $f) (i32.const 0)) (then (return (call $args_get (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)))))) ;; args_get
    (if (i32.eq (local.get $f) (i32.const 1)) (then (return (call $args_sizes_get (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)))))) ;; args_sizes_get
    (if (i32.eq (local.get $f) (i32.const 2)) (then (return (call $clock_res_get (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)))))) ;; clock_res_get
    (if (i32.eq (local.get $f) (i32.const 3)) (then (return (call $clock_time_get (call $i (local.get $at) (i32.const 1)) (call $I (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)))))) ;; clock_time_get
    (if (i32.eq (local.get $f) (i32.const 4)) (then (return (call $environ_get (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)))))) ;; environ_get
    (if (i32.eq (local.get $f) (i32.const 5)) (then (return (call $environ_sizes_get (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)))))) ;; environ_sizes_get
    (if (i32.eq (local.get $f) (i32.const 6)) (then (return (call $fd_advise (call $i (local.get $at) (i32.const 1)) (call $I (local.get $at) (i32.const 2)) (call $I (local.get $at) (i32.const 3)) (call $i (local.get $at) (i32.const 4)))))) ;; fd_advise
    (if (i32.eq (local.get $f) (i32.const 7)) (then (return (call $fd_allocate (call $i (local.get $at) (i32.const 1)) (call $I (local.get $at) (i32.const 2)) (call $I (local.get $at) (i32.const 3)))))) ;; fd_allocate
    (if (i32.eq (local.get $f) (i32.const 8)) (then (return (call $fd_close (call $i (local.get $at) (i32.const 1)))))) ;; fd_close
    (if (i32.eq (local.get $f) (i32.const 9)) (then (return (call $fd_datasync (call $i (local.get $at) (i32.const 1)))))) ;; fd_datasync
    (if (i32.eq (local.get $f) (i32.const 10)) (then (return (call $fd_fdstat_get (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)))))) ;; fd_fdstat_get
    (if (i32.eq (local.get $f) (i32.const 11)) (then (return (call $fd_fdstat_set_flags (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)))))) ;; fd_fdstat_set_flags
    (if (i32.eq (local.get $f) (i32.const 12)) (then (return (call $fd_fdstat_set_rights (call $i (local.get $at) (i32.const 1)) (call $I (local.get $at) (i32.const 2)) (call $I (local.get $at) (i32.const 3)))))) ;; fd_fdstat_set_rights
    (if (i32.eq (local.get $f) (i32.const 13)) (then (return (call $fd_filestat_get (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)))))) ;; fd_filestat_get
    (if (i32.eq (local.get $f) (i32.const 14)) (then (return (call $fd_filestat_set_size (call $i (local.get $at) (i32.const 1)) (call $I (local.get $at) (i32.const 2)))))) ;; fd_filestat_set_size
    (if (i32.eq (local.get $f) (i32.const 15)) (then (return (call $fd_filestat_set_times (call $i (local.get $at) (i32.const 1)) (call $I (local.get $at) (i32.const 2)) (call $I (local.get $at) (i32.const 3)) (call $i (local.get $at) (i32.const 4)))))) ;; fd_filestat_set_times
    (if (i32.eq (local.get $f) (i32.const 16)) (then (return (call $fd_pread (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)) (call $I (local.get $at) (i32.const 4)) (call $i (local.get $at) (i32.const 5)))))) ;; fd_pread
    (if (i32.eq (local.get $f) (i32.const 17)) (then (return (call $fd_prestat_dir_name (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)))))) ;; fd_prestat_dir_name
    (if (i32.eq (local.get $f) (i32.const 18)) (then (return (call $fd_prestat_get (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)))))) ;; fd_prestat_get
    (if (i32.eq (local.get $f) (i32.const 19)) (then (return (call $fd_pwrite (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)) (call $I (local.get $at) (i32.const 4)) (call $i (local.get $at) (i32.const 5)))))) ;; fd_pwrite
    (if (i32.eq (local.get $f) (i32.const 20)) (then (return (call $fd_read (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)) (call $i (local.get $at) (i32.const 4)))))) ;; fd_read
    (if (i32.eq (local.get $f) (i32.const 21)) (then (return (call $fd_readdir (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)) (call $I (local.get $at) (i32.const 4)) (call $i (local.get $at) (i32.const 5)))))) ;; fd_readdir
    (if (i32.eq (local.get $f) (i32.const 22)) (then (return (call $fd_renumber (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)))))) ;; fd_renumber
    (if (i32.eq (local.get $f) (i32.const 23)) (then (return (call $fd_seek (call $i (local.get $at) (i32.const 1)) (call $I (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)) (call $i (local.get $at) (i32.const 4)))))) ;; fd_seek
    (if (i32.eq (local.get $f) (i32.const 24)) (then (return (call $fd_sync (call $i (local.get $at) (i32.const 1)))))) ;; fd_sync
    (if (i32.eq (local.get $f) (i32.const 25)) (then (return (call $fd_tell (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)))))) ;; fd_tell
    (if (i32.eq (local.get $f) (i32.const 26)) (then (return (call $fd_write (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)) (call $i (local.get $at) (i32.const 4)))))) ;; fd_write
    (if (i32.eq (local.get $f) (i32.const 27)) (then (return (call $path_create_directory (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)))))) ;; path_create_directory
    (if (i32.eq (local.get $f) (i32.const 28)) (then (return (call $path_filestat_get (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)) (call $i (local.get $at) (i32.const 4)) (call $i (local.get $at) (i32.const 5)))))) ;; path_filestat_get
    (if (i32.eq (local.get $f) (i32.const 29)) (then (return (call $path_filestat_set_times (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)) (call $i (local.get $at) (i32.const 4)) (call $I (local.get $at) (i32.const 5)) (call $I (local.get $at) (i32.const 6)) (call $i (local.get $at) (i32.const 7)))))) ;; path_filestat_set_times
    (if (i32.eq (local.get $f) (i32.const 30)) (then (return (call $path_link (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)) (call $i (local.get $at) (i32.const 4)) (call $i (local.get $at) (i32.const 5)) (call $i (local.get $at) (i32.const 6)) (call $i (local.get $at) (i32.const 7)))))) ;; path_link
    (if (i32.eq (local.get $f) (i32.const 31)) (then (return (call $path_open (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)) (call $i (local.get $at) (i32.const 4)) (call $i (local.get $at) (i32.const 5)) (call $I (local.get $at) (i32.const 6)) (call $I (local.get $at) (i32.const 7)) (call $i (local.get $at) (i32.const 8)) (call $i (local.get $at) (i32.const 9)))))) ;; path_open
    (if (i32.eq (local.get $f) (i32.const 32)) (then (return (call $path_readlink (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)) (call $i (local.get $at) (i32.const 4)) (call $i (local.get $at) (i32.const 5)) (call $i (local.get $at) (i32.const 6)))))) ;; path_readlink
    (if (i32.eq (local.get $f) (i32.const 33)) (then (return (call $path_remove_directory (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)))))) ;; path_remove_directory
    (if (i32.eq (local.get $f) (i32.const 34)) (then (return (call $path_rename (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)) (call $i (local.get $at) (i32.const 4)) (call $i (local.get $at) (i32.const 5)) (call $i (local.get $at) (i32.const 6)))))) ;; path_rename
    (if (i32.eq (local.get $f) (i32.const 35)) (then (return (call $path_symlink (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)) (call $i (local.get $at) (i32.const 4)) (call $i (local.get $at) (i32.const 5)))))) ;; path_symlink
    (if (i32.eq (local.get $f) (i32.const 36)) (then (return (call $path_unlink_file (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)))))) ;; path_unlink_file
    (if (i32.eq (local.get $f) (i32.const 37)) (then (return (call $poll_oneoff (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)) (call $i (local.get $at) (i32.const 4)))))) ;; poll_oneoff
    (if (i32.eq (local.get $f) (i32.const 38)) (then (call $proc_exit (call $i (local.get $at) (i32.const 1))) (return (i32.const 0)))) ;; proc_exit
    (if (i32.eq (local.get $f) (i32.const 39)) (then (return (call $proc_raise (call $i (local.get $at) (i32.const 1)))))) ;; proc_raise
    (if (i32.eq (local.get $f) (i32.const 40)) (then (return (call $random_get (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)))))) ;; random_get
    (if (i32.eq (local.get $f) (i32.const 41)) (then (return (call $sched_yield)))) ;; sched_yield
    (if (i32.eq (local.get $f) (i32.const 42)) (then (return (call $sock_accept (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)))))) ;; sock_accept
    (if (i32.eq (local.get $f) (i32.const 43)) (then (return (call $sock_recv (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)) (call $i (local.get $at) (i32.const 4)) (call $i (local.get $at) (i32.const 5)) (call $i (local.get $at) (i32.const 6)))))) ;; sock_recv
    (if (i32.eq (local.get $f) (i32.const 44)) (then (return (call $sock_send (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)) (call $i (local.get $at) (i32.const 3)) (call $i (local.get $at) (i32.const 4)) (call $i (local.get $at) (i32.const 5)))))) ;; sock_send
    (if (i32.eq (local.get $f) (i32.const 45)) (then (return (call $sock_shutdown (call $i (local.get $at) (i32.const 1)) (call $i (local.get $at) (i32.const 2)))))) ;; sock_shutdown
    (if (i32.eq (local.get $f) (i32.const 100)) (then (return (i32.load (call $i (local.get $at) (i32.const 1))))))
    (unreachable))
  (func (export "negotiate") (result i32)
    (local $at i32) (local $end i32)
    (drop (call $config (i32.const 262016) (i32.const 11) (i32.const 0) (i32.const 131072)))
    (local.set $at (i32.const 131072))
    (local.set $end (i32.add (local.get $at)
      (call $config (i32.const 262000) (i32.const 14) (i32.const 131072) (i32.const 100000))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (if (i32.eq (i32.load (local.get $at)) (i32.const 101))
          (then (return (i32.load offset=4 (local.get $at)))))
        (i32.store (i32.const 262100) (call $do (local.get $at)))
        (drop (call $config (i32.const 262100) (i32.const 4) (i32.const 0) (i32.const 0)))
        (local.set $at (i32.add (local.get $at) (i32.const 48)))
        (br $next)))
    (i32.const 0)))
