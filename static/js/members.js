// The members page: updates the activity of the members, and copies the link of a new invitation.

import "./live_part.js";
import "./copy.js";
