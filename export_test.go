package qfpayjsapi

// ForgetEnquiries forgets when this process last asked about orders.
func ForgetEnquiries() {
	accounts.Range(func(_, shared any) bool {
		asked := &shared.(*account).asked
		asked.mu.Lock()
		defer asked.mu.Unlock()
		clear(asked.times)
		return true
	})
}
