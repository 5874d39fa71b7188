-- Opens orders.py, lists the actions of its function, runs an ensemble, applies the winner, undoes once, saves.
local home = os.getenv("HOME")
local told = {}

local function leave()
  local file = assert(io.open(home .. "/told.json", "w"))
  file:write(vim.fn.json_encode(told))
  file:close()
  vim.cmd("qall!")
end

local function try(work)
  local fine, why = xpcall(work, debug.traceback)
  if not fine then told.error = tostring(why) end
  leave()
end

local function await(what, seconds, condition)
  assert(vim.wait(seconds * 1000, condition, 20), what .. " did not come")
end

-- The menu of code actions: takes the first whose title has a text in it.
local function choose(part)
  local titles, chosen = {}, false
  vim.ui.select = function(items, options, on_choice)
    for _, item in ipairs(items) do
      local title = options.format_item and options.format_item(item) or item[2].title
      table.insert(titles, title)
    end
    for index, title in ipairs(titles) do
      if title:find(part, 1, true) then
        chosen = true
        on_choice(items[index], index)
        return
      end
    end
  end
  vim.lsp.buf.code_action()
  await("the action " .. part, 100, function() return chosen end)
  return titles
end

local function text()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n") .. "\n"
end

local messages = {}
vim.lsp.handlers["window/showMessage"] = function(_, result) table.insert(messages, result.message) end

try(function()
  vim.cmd("edit orders.py")
  await("the server", 100, function()
    local client = vim.lsp.buf_get_clients(0)[1] or select(2, next(vim.lsp.buf_get_clients(0)))
    return client ~= nil and client.initialized
  end)
  vim.api.nvim_win_set_cursor(0, { vim.fn.search("def repeat_customers"), 4 })
  local before = text()
  told.actions = choose("faster")
  await("the end of the run", 300, function() return #messages > 0 end)
  told.message = messages[#messages]
  told.results = choose("1. Apply")
  await("the edit", 100, function() return text() ~= before end)
  told.applied = text()
  vim.cmd("undo")
  vim.cmd("write")
end)
