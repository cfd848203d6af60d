// A campaign's home: where it stands stays live.

import "./live_part.js";
