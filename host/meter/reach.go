package meter

import "slices"

// reach finds the nodes that the host can come to if it leaves some exports uncalled. A
// function that the module takes a reference of is always reached: who calls it shows only
// when the module runs.
func (g *callGraph) reach(uncalled func(Export) bool) []bool {
	var way []uint32
	for _, e := range g.m.Exports {
		if e.Kind == KindFunction && !uncalled(e) {
			way = append(way, e.Index)
		}
	}
	if g.m.Start {
		way = append(way, g.m.start)
	}
	for f, taken := range g.m.referenced {
		if taken {
			way = append(way, uint32(f))
		}
	}
	reached := make([]bool, len(g.nodes))
	for len(way) > 0 {
		n := way[len(way)-1]
		way = way[:len(way)-1]
		if reached[n] {
			continue
		}
		reached[n] = true
		for _, e := range g.edges(n) {
			way = append(way, g.target(e))
		}
	}
	return reached
}

// isUncalled tells whether an export is one of Options.Uncalled.
func (w *rewriter) isUncalled(e Export) bool {
	return e.Kind == KindFunction && slices.Contains(w.uncalled, e.Name)
}

// choose numbers the functions that the rewritten module has: the original imports, those
// that are added, and of its own all but what only uncalled exports come to.
func (w *rewriter) choose() {
	var reached []bool
	if slices.ContainsFunc(w.m.Exports, w.isUncalled) {
		reached = w.graph.reach(w.isUncalled)
	}
	imported := w.m.imported
	w.index = make([]uint32, len(w.m.funcs))
	for f := range imported {
		w.index[f] = f
	}
	w.refill, w.overflow = imported, imported+1
	w.refuel = imported + added
	for f := imported; f < uint32(len(w.m.funcs)); f++ {
		if reached != nil && !reached[f] {
			w.index[f] = leftOut
			continue
		}
		w.index[f] = w.refuel
		w.refuel++
	}
}
