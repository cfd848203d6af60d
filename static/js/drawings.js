// Downloads of the drawings on a page without Bokeh charts. A part that htmx replaces gets them again.
import { offerDrawings } from "./chart_downloads.js";

offerDrawings();
document.addEventListener("htmx:afterSettle", offerDrawings);
