package qfpayjsapi

// LetEnquiriesBeDue stands for waiting until every order may be asked about
// again.
func LetEnquiriesBeDue() {
	accounts.Range(func(_, shared any) bool {
		asked := &shared.(*account).asked
		asked.mu.Lock()
		defer asked.mu.Unlock()
		clear(asked.times)
		return true
	})
}
