module course

go 1.15
