package doctor

import (
	"context"
	"fmt"
)

// checkPaths looks whether all of the shop's paths lead to its block: a matcher in
// front of it may keep some away, and handle_path changes them.
func (s Shop) checkPaths(ctx context.Context) Finding {
	if s.Arrive == nil {
		return good("the routes to the block cannot be seen from here")
	}
	for _, path := range []string{s.Path + "/callback/doctor", s.Path, s.NotifyPath} {
		switch came := s.Arrive(ctx, path); came.As {
		case path:
		case "":
			return bad("Let the matcher of qfpay_jsapi match both "+s.Path+" and "+s.Path+"/*, and let nothing in front of it answer them: no login, no redirect, no other handler.",
				"a request for %s does not reach the block: something else answers it %s", path, came.answer())
		default:
			return bad("Use handle instead of handle_path in front of qfpay_jsapi, and no uri strip_prefix.",
				"a request for %s reaches the block as %s, which it does not answer", path, came.As)
		}
	}
	return good("%s and everything below it reach the block", s.Path)
}

// answer says how something else answered.
func (a Arrival) answer() string {
	if a.Status == 0 {
		return "by closing the connection"
	}
	return fmt.Sprintf("with status %d", a.Status)
}
