"""One visit of the official Python client: reads where to go as JSON, and prints what it saw as JSON."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager

from mcp import Client, MCPError, StdioServerParameters
from mcp import types
from mcp.client.sse import sse_client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


@asynccontextmanager
async def over_http(url, headers):
    async with create_mcp_http_client(headers=headers) as http:
        async with streamable_http_client(url, http_client=http) as streams:
            yield streams


def transport_of(where):
    if "command" in where:
        return StdioServerParameters(
            command=where["command"], args=where["args"], env=where["env"], cwd=where["cwd"]
        )
    open_it = over_http if where["kind"] == "http" else sse_client
    return open_it(where["url"], headers=where["headers"])


def text_of(result):
    return result.content[0].text


async def failure_of(awaitable):
    try:
        return {"text": text_of(await awaitable)}
    except MCPError as error:
        return {"message": str(error)}


async def visit(where):
    asked = []
    progress = []

    async def on_elicitation(_, params):
        asked.append(params.message)
        fields = params.requested_schema["properties"]
        return types.ElicitResult(action="accept", content={name: "Ada" for name in fields})

    async def on_progress(done, total, message):
        progress.append(done)

    # In a stack, names and URIs begin with the server that they belong to.
    of = where.get("of")
    name = lambda own: own if of is None else f"{of}__{own}"
    uri = lambda own: own if of is None else f"{of}+{own}"

    mode = where["mode"]
    async with Client(
        transport_of(where), mode=mode, elicitation_callback=on_elicitation, read_timeout_seconds=20
    ) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        uris = [str(one.uri) for one in (await client.list_resources()).resources]

        async def call(own, *args, **options):
            return await client.call_tool(name(own), *args, **options)

        denied = await call("test_audio_content", {})
        resource = await client.read_resource(uri("test://static-text"))
        prompt = await client.get_prompt(
            name("test_prompt_with_arguments"), {"arg1": "one", "arg2": "two"}
        )
        await call("test_tool_with_progress", {}, progress_callback=on_progress)
        asking = await call("test_input_required_result_elicitation", {})
        many = await asyncio.gather(*(call("test_simple_text", {}) for _ in range(10)))
        return {
            "version": client.protocol_version,
            "tools": tools,
            "uris": uris,
            "denied": {"isError": denied.is_error, "text": text_of(denied)},
            "hidden": await failure_of(call("test_image_content", {})),
            "resource": resource.contents[0].text,
            "prompt": prompt.messages[0].content.text,
            "progress": progress,
            "asked": asked,
            "asking": text_of(asking),
            "many": sorted({text_of(one) for one in many}),
        }


print(json.dumps(asyncio.run(visit(json.loads(sys.argv[1])))))
