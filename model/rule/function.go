package rule

import (
	"math"
	"slices"
)

// A function of numbers.
type function struct {
	name, args, help string
	least, most      int
	fn               func([]float64) float64
}

// functions are those of rules and of a model's numbers. It is never changed.
var functions = []function{
	{"max", "a, b, …", "The largest.", 1, 8, func(x []float64) float64 { return slices.Max(x) }},
	{"min", "a, b, …", "The smallest.", 1, 8, func(x []float64) float64 { return slices.Min(x) }},
	{"abs", "x", "Without its sign.", 1, 1, func(x []float64) float64 { return math.Abs(x[0]) }},
	{"round", "x", "The nearest whole number, halves away from zero.", 1, 1, func(x []float64) float64 { return math.Round(x[0]) }},
	{"round_even", "x", "The nearest whole number, halves to the even one.", 1, 1, func(x []float64) float64 { return math.RoundToEven(x[0]) }},
	{"floor", "x", "The whole number at or below.", 1, 1, func(x []float64) float64 { return math.Floor(x[0]) }},
	{"ceil", "x", "The whole number at or above.", 1, 1, func(x []float64) float64 { return math.Ceil(x[0]) }},
}
