module 6.824/kvraft

go 1.25.0

replace 6.824 => ../

require 6.824 v0.0.0

require github.com/anishathalye/porcupine v1.3.1
