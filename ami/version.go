package ami

import (
	"strings"

	"github.com/voipd/voipd/internal/link"
)

// TooOldError says that the PBX is older than Asterisk 12: its AMI is version 1,
// whose events tell neither bridges nor linkedids.
type TooOldError struct{ Version string }

func (e *TooOldError) Error() string {
	return "the PBX's AMI has version " + e.Version + ", as Asterisk 11 and older have it: calls cannot be followed by its events; voipd needs Asterisk 12 or newer"
}

// Is makes it an [link.ErrRefused]: trying again at once does not help.
func (e *TooOldError) Is(target error) bool { return target == link.ErrRefused }

// Supported tells whether calls can be followed by the AMI of a version, such as
// "11.0.0" of a banner: nil, or a [*TooOldError]. An empty version is not known.
func Supported(version string) error {
	if strings.HasPrefix(version, "1.") {
		return &TooOldError{version}
	}
	return nil
}
