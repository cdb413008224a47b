package meter

// Bounds of what is spent before a guest asks again whether there is fuel left. A host
// cannot stop it in between.
const (
	// maxUnasked is what a call of a function may spend, with all that it calls, if none
	// of them asks at its entry. Nine of ten functions of real modules stay below it.
	maxUnasked = 1_000

	// maxOwed is what the calls in all functions of a chain of calls may spend together,
	// if they do not ask: each at most once, since loops ask. Where it would be more, the
	// module asks before each of these calls.
	maxOwed = 50_000

	// maxOwedAgain is the same for the calls in one function that may come back to itself,
	// and may be open as often as depth allows: a recursion that spends maxUnasked on its
	// way back, at each of a thousand calls, would run for 170 ms if it chases pointers.
	maxOwedAgain = maxOwed / DefaultDepth
)

// A callGraph says what the calls of each function may come to. Counting how deep calls
// nest and asking at each entry whether there is fuel left cost more than all else of
// metering, when a module is compiled and when it runs. Neither is needed where the
// calls that the module has already bound what can happen:
//
// A function that cannot come back to itself, through whatever it calls, stands at most
// once among the calls that are open. So all such functions together nest no deeper than
// the longest way through them, and only those that can come back need counting.
//
// A function is charged whenever it is entered. But it asks for fuel there only if it
// and what it calls can be charged more than maxUnasked before something asks.
//
// A call through a table may be one of each function of its type that the module takes a
// reference of: the host puts none into tables.
type callGraph struct {
	m     *Module
	nodes []node
	types []uint32   // node of each type: that of the first one that is equal
	taken [][]uint32 // by type, the functions that a call through a table may reach
	path  []uint32   // nodes whose component is not complete yet
	found uint32     // how many nodes have been found
}

// A node is a function, under its index, or behind all of those a type, which stands for
// a call through a table.
type node struct {
	entered bool  // the host may call it
	returns bool  // it may come to call itself
	spends  int64 // until something asks; 0: it asks at its entry
	careful bool  // it asks before each call of something that does not
	owed    int64 // what the calls in a chain that begins here may spend until something asks
	height  int64 // weight of the longest chain of calls from here, without those that return

	order, low uint32 // in which it was found, from 1; and the lowest that it leads to
	complete   bool   // all of its component is known
}

// graph follows all calls of a module.
func (m *Module) graph() *callGraph {
	g := &callGraph{
		m:     m,
		nodes: make([]node, len(m.funcs)+len(m.types)),
		types: make([]uint32, len(m.types)),
		taken: make([][]uint32, len(m.types)),
	}
	g.equalTypes()
	for f, taken := range m.referenced {
		if taken {
			t := g.types[m.funcs[f]] - uint32(len(m.funcs))
			g.taken[t] = append(g.taken[t], uint32(f))
		}
	}
	for _, e := range m.Exports {
		if e.Kind == KindFunction {
			g.nodes[e.Index].entered = true
		}
	}
	if m.Start {
		g.nodes[m.start].entered = true
	}
	for n := range uint32(len(g.nodes)) {
		if g.nodes[n].order == 0 {
			g.follow(n)
		}
	}
	return g
}

// equalTypes finds the types that a call through a table does not tell apart.
func (g *callGraph) equalTypes() {
	first := make(map[string]uint32, len(g.m.types))
	var key []byte
	for i, t := range g.m.types {
		key = key[:0]
		for _, v := range t.params {
			key = append(key, byte(v))
		}
		key = append(key, 0)
		for _, v := range t.results {
			key = append(key, byte(v))
		}
		n, ok := first[string(key)]
		if !ok {
			n = uint32(len(g.m.funcs) + i)
			first[string(key)] = n
		}
		g.types[i] = n
	}
}

// body is the body of a node, nil for a type and for an imported function.
func (g *callGraph) body(n uint32) *body {
	if n < g.m.imported || int(n) >= len(g.m.funcs) {
		return nil
	}
	return &g.m.bodies[n-g.m.imported]
}

// edges are the nodes that a node leads to, as often as it does. Each is to be taken
// through target.
func (g *callGraph) edges(n uint32) []uint32 {
	if b := g.body(n); b != nil {
		return g.m.sites[b.sites:][:b.calls]
	}
	if int(n) >= len(g.m.funcs) {
		return g.taken[int(n)-len(g.m.funcs)]
	}
	return nil
}

// target is the node that an edge leads to.
func (g *callGraph) target(edge uint32) uint32 {
	if int(edge) < len(g.m.funcs) {
		return edge
	}
	return g.types[int(edge)-len(g.m.funcs)]
}

// follow finds all that a node leads to, and completes the components of nodes that lead
// to each other, each behind those that it leads to (Tarjan, Depth-first search and
// linear graph algorithms, 1972). It keeps its place in a slice, since a module decides
// how deep it goes.
func (g *callGraph) follow(start uint32) {
	type place struct {
		node uint32
		edge int // the next to look at
	}
	enter := func(n uint32) place {
		g.found++
		g.nodes[n].order, g.nodes[n].low = g.found, g.found
		g.path = append(g.path, n)
		return place{node: n}
	}
	way := []place{enter(start)}
	for len(way) > 0 {
		at := &way[len(way)-1]
		n := &g.nodes[at.node]
		if edges := g.edges(at.node); at.edge < len(edges) {
			next := g.target(edges[at.edge])
			at.edge++
			switch to := &g.nodes[next]; {
			case to.order == 0:
				way = append(way, enter(next))
			case !to.complete:
				n.low = min(n.low, to.order)
			}
			continue
		}
		if n.low == n.order {
			g.completeFrom(at.node)
		}
		way = way[:len(way)-1]
		if len(way) > 0 {
			before := &g.nodes[way[len(way)-1].node]
			before.low = min(before.low, n.low)
		}
	}
}

// completeFrom judges the component that a node was the first of. All that it leads to
// beside itself has been judged.
func (g *callGraph) completeFrom(first uint32) {
	i := len(g.path) - 1
	for g.path[i] != first {
		i--
	}
	component := g.path[i:]
	g.path = g.path[:i]

	returns := len(component) > 1
	height, owed := int64(0), int64(0)
	for _, n := range component {
		for _, e := range g.edges(n) {
			to := g.target(e)
			returns = returns || to == n
			height = max(height, g.nodes[to].height)
			owed = max(owed, g.nodes[to].owed)
		}
	}
	for _, n := range component {
		node := &g.nodes[n]
		node.complete, node.returns, node.height, node.owed = true, returns, height, owed
		if b := g.body(n); b != nil && !returns {
			node.height += b.weight()
		}
	}
	// A type spends what the costliest of its functions does, so that types come first.
	for _, n := range component {
		if int(n) >= len(g.m.funcs) {
			for _, f := range g.edges(n) {
				g.nodes[n].spends = max(g.nodes[n].spends, g.nodes[f].spends)
			}
		}
	}
	for _, n := range component {
		b := g.body(n)
		if b == nil {
			continue
		}
		calls := int64(0)
		for _, e := range g.edges(n) {
			calls += g.nodes[g.target(e)].spends
		}
		node := &g.nodes[n]
		node.careful = owed+calls > maxOwed || returns && calls > maxOwedAgain
		if !node.careful && !returns {
			node.owed += calls
		}
		spends := g.m.costs[b.first] + calls
		if !returns && !node.entered && spends <= maxUnasked {
			node.spends = spends
		}
	}
}

// limitDepth divides the depth that calls may nest to: what functions that do not return
// to themselves can add to it is set aside, and those that do count what is left. A
// module whose chains of different functions alone take more than half counts each call.
func (w *rewriter) limitDepth(depth uint32) {
	height := int64(0)
	for i := range w.graph.nodes {
		height = max(height, w.graph.nodes[i].height)
	}
	w.limit, w.deep = depth, height > int64(depth)/2
	if !w.deep {
		w.limit -= uint32(height)
	}
	for i := range w.m.bodies {
		w.counting = w.counting || w.counts(w.m.imported+uint32(i))
	}
}

// counts says whether a function counts how deep its calls nest. One that calls nothing
// is the last of its chain: if it is small, the depth of its callers bounds it well
// enough.
func (w *rewriter) counts(f uint32) bool {
	b := w.graph.body(f)
	return w.graph.nodes[f].returns || w.deep && (b.calls > 0 || b.values >= frameSlots)
}
