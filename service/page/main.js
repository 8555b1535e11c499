// Reads the models and the address, and opens the parts of the page.

import { openModels } from "./models.js";
import { openStage } from "./stage.js";

openStage();
await openModels();
