module toys

go 1.25
