// Draws an image by a client whose types were made from the service's document, and prints it in base64.
import createClient from "openapi-fetch";
import type { paths } from "./api";

const client = createClient<paths>({ baseUrl: process.argv[2]! });

const drawn = await client.POST("/v1/images", {
  params: {},
  body: { class: "7", style: [0.5, -0.5], seed: 1, n: 1, index: 0, truncation: 1, scale: 1, format: "png" },
  parseAs: "arrayBuffer",
});
const { data } = await client.GET("/v1/models");
if (!data?.models.length || !drawn.response.ok) throw new Error(await drawn.response.text());
console.log(Buffer.from(drawn.data as unknown as ArrayBuffer).toString("base64"));
