package main

import "slices"

// table holds the mutants: mistakes that people make in this lab, in the order of the paper.
var table = slices.Concat(elections, replication, commits, applying, snapshots)
