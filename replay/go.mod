module 6.824/replay

go 1.25.0

replace 6.824 => ../

require (
	6.824 v0.0.0
	github.com/tetratelabs/wazero v1.12.0
)

require golang.org/x/sys v0.44.0 // indirect
