import { expect, test } from 'vitest'
import type { Category } from '../policy/model.ts'
import { classify } from './classify.ts'

/** Tools as servers of many trades name them, by what they can do: `name: description`. */
const tools = {
  Read: `
    quote_swap: Get a quote for a token swap
    customers_by_state: Customers of a state
    getExchangeRate: Get the exchange rate
    fetch_all_refunds: Fetch all refunds
    payments.list: List payments
    catalog_search: Search catalog
    list_price_alerts: List price alerts
    get_order_book: Get the order book
    get_liquidation_price: Get liquidation price
    export_private_key: Export the private key
    get_nft_metadata: Get NFT metadata
    get_user_timeline: Get a user's timeline
    search_tweets: Search tweets
    transcribe_audio: Transcribe audio
    get_transcript: Get the transcript of a video
    list_devices: List devices
    get_state: Get the state of an entity
    list_automations: List automations
    mobile_list_available_devices: List devices
    get_scene_info: Get scene info
    get_viewport_screenshot: Capture a screenshot of the viewport
    ghidra_decompile: Decompile a function
    list_strings: List strings
    shodan_host_lookup: Look up a host
    whois: Look up domain ownership
    get_secret_value: Get secret value
    s3_presign: Generate a presigned URL
    namespaces_list: List namespaces
    resources_get: Get a resource
    events_list: List events
    configuration_view: View kubeconfig
    docker_logs: Fetch logs
    get_pipeline_status: Get pipeline status
    git_fetch: Fetch from remote
    git_blame: Show blame
    search_code: Search code
    grep_search: Search with regex
    find_symbol: Find a symbol
    think: Think step by step
    query_dataframe: Query a dataframe
    load_csv: Load a CSV into memory
    plot_data: Plot data
    aggregate: Run an aggregation
    es_search: Search an index
    get_mappings: Get mappings
    kafka_consume: Consume messages
    explain_plan: Explain a plan
    pg_dump: Dump a database
    analyze_db_health: Analyze database health
    get_top_queries: Get slow queries
    get_campaigns: Get campaigns
    enrich_lead: Enrich a lead
    score_lead: Score a lead
    get_patient_record: Get patient record
    search_pubmed: Search PubMed
    translate: Translate text
    get_forecast: Get forecast
    plan_route: Plan a route
    geocode: Geocode an address
    track_package: Track a package
    get_tasks_by_status: Get tasks
    export_page: Export a page
    query_database: Query a Notion database
    check_balance: Check balance
  `,
  Write: `
    update_payment: Update notes on a payment
    create_price_alert: Create a price alert
    vote_proposal: Vote on a governance proposal
    create_wallet: Create a wallet
    sign_message: Sign a message
    reserve_table: Reserve a restaurant table
    schedule_meeting: Schedule a meeting
    reschedule_appointment: Reschedule an appointment
    unpublish_post: Unpublish a post
    publish_post: Publish a post
    create_draft: Create a draft
    post_tweet: Post a tweet
    retweet: Retweet a tweet
    follow_user: Follow a user
    dm_user: Send a direct message
    upload_video: Upload a video
    add_subtitle: Add a subtitle
    set_thermostat: Set temperature
    set_texture: Apply a texture to an object
    create_object: Create an object
    rename_function: Rename a function
    create_dns_record: Create a DNS record
    issue_certificate: Issue a certificate
    rotate_keys: Rotate encryption keys
    create_access_key: Create an access key
    put_secret: Store a secret
    assume_role: Assume an IAM role
    attach_role_policy: Attach a policy
    s3_put_object: Upload object
    s3_sync: Sync a directory to S3
    create_snapshot: Create snapshot
    promote_release: Promote a release
    create_release: Create a release
    protect_branch: Protect a branch
    rebase_branch: Rebase a branch
    squash_commits: Squash commits
    git_stash: Stash changes
    git_pull: Pull from remote
    replace_symbol_body: Replace the body of a symbol
    insert_after_symbol: Insert content after a symbol
    activate_project: Activates a project
    write_memory: Write a memory
    insert_cell: Insert a notebook cell
    create_index: Create an index
    insert_many: Insert documents
    update_many: Update documents
    bulk_index: Bulk index documents
    kafka_produce: Produce a message to a topic
    create_topic: Create a topic
    publish_message: Publish a message
    alter_table: Alter a table
    grant_permissions: Grant permissions
    commit_transaction: Commit a transaction
    create_campaign: Create an ad campaign
    send_newsletter: Send a newsletter
    unsubscribe_contact: Unsubscribe a contact
    log_call: Log a call
    convert_lead: Convert a lead
    close_deal: Close a deal
    submit_form: Submit a form
    sign_document: Sign a document
    send_envelope: Send an envelope for signature
    hire_candidate: Hire a candidate
    approve_leave: Approve leave
    prescribe_medication: Prescribe medication
    create_shipment: Create a shipment
    create_task: Create a task
    complete_task: Complete a task
    update_task_status: Update status
    archive_task: Archive a task
    assign_task: Assign a task
    duplicate_page: Duplicate a page
    lock_page: Lock a page
    sync_calendar: Sync calendar
    share_file: Share a file
    unshare_file: Stop sharing a file
    change_permissions: Change permissions
    transfer_ownership: Transfer ownership
    create_link: Create a share link
    apply_coupon: Apply a coupon
    list_item_for_sale: List an item for sale
  `,
  Execute: `
    send_keys: Send keystrokes to the window
    unlock_door: Unlock a door
    graphql_request: Send a GraphQL request
    performance_start_trace: Start a performance trace
    browser_drag: Perform drag and drop between two elements
    start_recording: Start recording the screen
    stop_recording: Stop recording
    take_photo: Take a photo with the camera
    turn_off_lights: Turn off all lights
    trigger_automation: Trigger an automation
    call_service: Call a Home Assistant service
    tap_element: Tap an element
    swipe_screen: Swipe on the screen
    launch_app: Launch an app
    mobile_type_keys: Type text into the focused element
    open_url: Open a URL on the device
    press_button: Press a button
    adb_shell: Run an adb shell command
    xcodebuild: Build an Xcode project
    boot_sim: Boot a simulator
    unity_execute_menu_item: Execute a menu item
    execute_blender_code: Execute arbitrary Python code in Blender
    attach_debugger: Attach debugger to a process
    step_over: Step over
    run_sqlmap: Run sqlmap
    crack_hash: Crack a hash
    lambda_invoke: Invoke a Lambda
    ec2_stop_instances: Stop instances
    rds_reboot: Reboot a DB instance
    cloudformation_deploy: Deploy a stack
    terraform_plan: Run terraform plan
    pulumi_up: Deploy a Pulumi stack
    ansible_playbook_run: Run a playbook
    helm_rollback: Roll back a release
    docker_compose_up: Start services
    docker_build: Build an image
    run_workflow: Run a workflow
    cancel_build: Cancel a build
    retry_job: Retry a job
    execute_shell_command: Execute a shell command
    eval_js: Evaluate JS
    notebook_run_cell: Run a cell
    train: Train
    fine_tune_model: Fine tune a model
    sql_exec: Execute a statement
    begin_transaction: Begin a transaction
    pause_campaign: Pause a campaign
    print_label: Print a label
    start_timer: Start a timer
    toggl_stop_timer: Stop the timer
  `,
  Destructive: `
    force_push: Force push to a branch
    cancel_meeting: Cancel a meeting
    delete_all_messages: Delete all messages
    empty_trash: Empty the trash
    purge_cache: Purge the CDN cache
    invalidate_cdn: Invalidate CDN paths
    revoke_certificate: Revoke a certificate
    s3_delete_bucket: Delete a bucket
    cdk_destroy: Destroy the stack
    pods_delete: Delete a pod
    prune_images: Remove unused images
    delete_tag: Delete a tag
    git_clean: Remove untracked files
    delete_memory: Delete a memory
    drop_collection: Drop a collection
    delete_many: Delete documents
    rabbitmq_purge: Purge a queue
    revoke_permissions: Revoke permissions
    kill_session: Kill a session
    terminate_employee: Terminate an employee
    delete_task: Delete a task
    empty_cart: Empty the cart
  `,
  Financial: `
    approve_token_spend: Approve a spender for a token
    send_usdc: Send USDC to an address
    createInvoice:
    sendMoney:
    approveLoan: Approve a loan application
    issueRefund: Issue a refund to a customer
    charge_customer: Charge a saved card
    capture_payment: Capture an authorized payment
    create_subscription: Subscribe a customer to a plan
    create_transfer: Create a transfer
    orders.create: Create an order
    submit_market_order: Submit a market order
    rebalance_portfolio: Rebalance the portfolio
    claim_rewards: Claim staking rewards
    delegate_stake: Delegate stake to a validator
    donate: Make a donation
    order_pizza: Order a pizza
    run_payroll: Run payroll
    book_ride: Book a ride
    buy_shipping_label: Buy a shipping label
    place_bid: Place a bid
    wire_transfer: Send a wire transfer
    request_payout: Request a payout
    add_credits: Add credits to the account
    gift_card_redeem: Redeem a gift card
  `,
} satisfies Record<Category, string>

test.each(Object.entries(tools))(
  '%s tools are told by name and description alone',
  (want, list) => {
    const lines = list
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
    const misjudged = lines.flatMap((line) => {
      const [name = '', description = ''] = line.split(':')
      const { category } = classify({ name, description: description.trim() })
      return category === want ? [] : [`${name} is called ${category}`]
    })
    expect(misjudged).toEqual([])
  },
)

test('the hard kinds are told apart', () => {
  const kinds: readonly (readonly [Category, string, string])[] = [
    ['Execute', 'execute_sql', 'Executes raw SQL.'],
    ['Read', 'explain_query', 'Explain a SQL query.'],
    ['Read', 'count', 'Counts documents in a collection.'],
    ['Read', 'transfer_quote', 'Get a quote for a transfer.'],
    ['Read', 'refund_eligibility', 'Check whether a refund is possible.'],
    ['Read', 'trade_history', ''],
    ['Write', 'manage_notification_settings', 'Manage notification settings.'],
    ['Write', 'create_webhook_subscription', 'Create a webhook subscription.'],
    ['Write', 'update_refund', 'Update the notes of a refund.'],
    ['Execute', 'cancel_export_job', 'Cancels an export job.'],
    ['Destructive', 'cancel_subscription', 'Cancels a subscription.'],
    ['Financial', 'execute_approved_order', 'Executes the order after approval.'],
    ['Destructive', 'restore_droplet', 'Restore a droplet from a backup.'],
    ['Write', 'git_reset', 'Unstages all staged changes.'],
    ['Write', 'get_or_create_label', 'Get or create a label.'],
    ['Write', 'remove_user_from_group', 'Removes a user from a group.'],
    ['Destructive', 'revoke_token', 'Revoke a token.'],
    ['Execute', 'stop_instance', 'Stops an instance.'],
    ['Destructive', 'terminate_instance', 'Terminates an instance.'],
    ['Destructive', 'manage_glue_jobs', 'Supports create-job, delete-job and get-job.'],
    ['Read', 'get_execution_plan', 'Get the execution plan.'],
    ['Read', 'list_export_jobs', 'List export jobs.'],
    ['Read', 'deploy_plan_get', 'Get a deployment plan.'],
    ['Write', 'keyvault_certificate_create', 'Creates a certificate.'],
    ['Destructive', 'db-cluster-delete', ''],
    ['Execute', 'StartAHORunBatch', 'Starts a batch of runs.'],
    ['Read', 'API-post-search', 'Search by title.'],
    ['Execute', 'kubectl_generic', 'Execute any kubectl command.'],
    ['Execute', '执行SQL', '执行SQL查询'],
    ['Destructive', 'cache', '清空缓存'],
    ['Destructive', 'eliminar_usuario', 'Elimina un usuario'],
    ['Write', 'mark_as_read', 'Marks a message as read.'],
    ['Financial', 'cart_checkout', 'Checks out the cart and pays.'],
    ['Financial', 'nft_transfer', 'Transfers an NFT to another wallet.'],
    ['Execute', 'weather_frobnicate', 'Current weather for a place.'],
    ['Financial', 'tool', '결제'],
    ['Read', 'obtener_usuario', 'Obtiene un usuario'],
    ['Execute', 'werkzeug', 'Das Werkzeug – created for builds'],
    ['Read', 'tool', 'Получает список задач'],
  ]
  const misjudged = kinds.flatMap(([want, name, description]) => {
    const { category } = classify({ name, description })
    return category === want ? [] : [`${name} is called ${category}`]
  })
  expect(misjudged).toEqual([])
})
