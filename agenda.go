package qfpayjsapi

import (
	"cmp"
	"container/heap"
	"time"
)

// appointment is when a subject is to be looked at next; the zero time means
// never.
type appointment struct {
	subject string
	next    time.Time
}

// before orders those of the same time by their subjects.
func (a appointment) before(b appointment) bool {
	return cmp.Or(a.next.Compare(b.next), cmp.Compare(a.subject, b.subject)) < 0
}

// agenda holds one appointment for each of many subjects, and has the earliest at
// hand.
type agenda struct{ queue queue }

func newAgenda() *agenda { return &agenda{queue{places: make(map[string]int)}} }

func (a *agenda) has(subject string) bool {
	_, listed := a.queue.places[subject]
	return listed
}

// add makes an appointment. One that the subject already has is moved if it is
// later.
func (a *agenda) add(subject string, at time.Time) {
	place, listed := a.queue.places[subject]
	switch {
	case !listed:
		heap.Push(&a.queue, appointment{subject, at})
	case at.Before(a.queue.order[place].next):
		a.queue.order[place].next = at
		heap.Fix(&a.queue, place)
	}
}

// take removes and returns the earliest subject whose time has come.
func (a *agenda) take(now time.Time) (subject string, due bool) {
	if first, any := a.first(); !any || now.Before(first) {
		return "", false
	}
	return heap.Pop(&a.queue).(appointment).subject, true
}

// first is the time of the earliest appointment.
func (a *agenda) first() (at time.Time, any bool) {
	if len(a.queue.order) == 0 {
		return time.Time{}, false
	}
	return a.queue.order[0].next, true
}

// queue implements heap.Interface.
type queue struct {
	order  []appointment
	places map[string]int // in order, by subject
}

func (q *queue) Len() int           { return len(q.order) }
func (q *queue) Less(i, j int) bool { return q.order[i].before(q.order[j]) }

func (q *queue) Swap(i, j int) {
	q.order[i], q.order[j] = q.order[j], q.order[i]
	q.places[q.order[i].subject], q.places[q.order[j].subject] = i, j
}

func (q *queue) Push(x any) {
	q.places[x.(appointment).subject] = len(q.order)
	q.order = append(q.order, x.(appointment))
}

func (q *queue) Pop() any {
	end := len(q.order) - 1
	last := q.order[end]
	q.order = q.order[:end]
	delete(q.places, last.subject)
	return last
}
